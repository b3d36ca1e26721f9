import DumpCore

extension Cluster {
    /// What prepare learnt, for the operator.
    ///
    /// - Parameter psql: the version of the psql beside the client's programs.
    func learnt(psql: Client.Version?, _ activity: ServerActivity) -> ErrorContext {
        var learnt: ErrorContext = [
            "server_version": facts.version, "connection": access.options.shownEndpoint,
            "in_recovery": facts.inRecovery ? "true" : "false", "role": facts.role.name,
            "role_lacks": facts.role.lacks(activity), "databases": "\(selection.selected.count)",
        ]
        if case .success(let client) = client {
            learnt["client_version"] = client.version.description
            learnt["client_directory"] = client.directory.string
        }
        learnt["psql_version"] = psql?.description
        if settings.growth == .delta {
            learnt["growth"] =
                "delta: rows that are deleted stay in new archives until their table is stored whole again, "
                + "after \(settings.growthMaxAge.settingsText) at most"
        }
        return learnt
    }
}

extension ServerFacts.Role {
    /// The privileges that a whole dump and a whole look at the server take, and this role has not; `nothing` if it has all.
    fileprivate func lacks(_ activity: ServerActivity) -> String {
        let lacking = [
            readsAllData ? nil : "pg_read_all_data", readsPasswords ? nil : "pg_authid",
            activity.seesAllSessions ? nil : "pg_read_all_stats",
        ].compactMap { $0 }
        return lacking.isEmpty ? "nothing" : lacking.joined(separator: ", ")
    }
}
