/// What a dump may leave out of what is on the server, by the stable words of `allow_omissions` and of the manifest.
public enum OmissionCode: String, Sendable, CaseIterable {
    // Whole databases.
    case databaseExcluded = "database_excluded"
    case databaseNotConnectable = "database_not_connectable"
    case databaseInvalid = "database_invalid"
    case databaseDropped = "database_dropped"
    // Rows.
    case extensionTableData = "extension_table_data"
    case foreignTableData = "foreign_table_data"
    case damagedPagesSkipped = "damaged_pages_skipped"
    case materializedViewRows = "materialized_view_rows"
    case largeObjectsUnreadable = "large_objects_unreadable"
    case preparedTransaction = "prepared_transaction"
    case tableInSystemSchema = "table_in_system_schema"
    case tableRowsHidden = "table_rows_hidden"
    case unloggedTableOnStandby = "unlogged_table_on_standby"
    // What stands beside the rows.
    case extensionMemberChanged = "extension_member_changed"
    case extensionVersion = "extension_version"
    case grantToMissingRole = "grant_to_missing_role"
    case indexInvalid = "index_invalid"
    case objectInSystemSchema = "object_in_system_schema"
    case optimizerStatistics = "optimizer_statistics"
    case sequencesOutsideSnapshot = "sequences_outside_snapshot"
    case serverFiles = "server_files"
    case subscriptionSkipped = "subscription_skipped"
    case userMappingOptionsHidden = "user_mapping_options_hidden"
    // The cluster.
    case replicationSlot = "replication_slot"
    case rolePasswordsUnreadable = "role_passwords_unreadable"
    case serverSettings = "server_settings"
    case settingsFileUnreadable = "settings_file_unreadable"
    case tablespaceDirectory = "tablespace_directory"
}
