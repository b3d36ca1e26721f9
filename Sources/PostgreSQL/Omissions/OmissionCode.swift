/// What a dump may leave out of what is on the server, by the stable words of `allow_omissions` and of the manifest.
public enum OmissionCode: String, Sendable, CaseIterable {
    // Whole databases.
    case databaseExcluded = "database_excluded"
    case databaseNotConnectable = "database_not_connectable"
    case databaseInvalid = "database_invalid"
    // Rows.
    case extensionTableData = "extension_table_data"
    case foreignTableData = "foreign_table_data"
    case largeObjectsUnreadable = "large_objects_unreadable"
    case preparedTransaction = "prepared_transaction"
    case tableInSystemSchema = "table_in_system_schema"
    case tableRowsHidden = "table_rows_hidden"
    case unloggedTableOnStandby = "unlogged_table_on_standby"
    // What stands beside the rows.
    case optimizerStatistics = "optimizer_statistics"
    case sequencesOutsideSnapshot = "sequences_outside_snapshot"
    case subscriptionSkipped = "subscription_skipped"
    // The cluster.
    case replicationSlot = "replication_slot"
    case rolePasswordsUnreadable = "role_passwords_unreadable"
    case serverSettings = "server_settings"
    case settingsFileUnreadable = "settings_file_unreadable"
    case tablespaceDirectory = "tablespace_directory"
}
