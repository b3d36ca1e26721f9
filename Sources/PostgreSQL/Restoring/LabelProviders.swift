import DumpCore

extension ArchiveEntries {
    /// The modules that gave its security labels, such as `selinux`, each once.
    var labelProviders: [String] {
        let names = entries.lazy.filter { $0.kind == "SECURITY LABEL" }.flatMap { entry in
            SQLStatement.all(in: entry.statement ?? []).compactMap { $0.name(after: "security", "label", "for") }
        }
        return Set(names).map { String(decoding: $0, as: UTF8.self) }.sorted()
    }

    var withoutLabels: ArchiveEntries {
        var others = self
        others.entries.removeAll { $0.kind == "SECURITY LABEL" }
        return others
    }
}

extension ComparisonResult {
    mutating func leaveOut(labels providers: [String]) {
        for provider in providers {
            leaveOut("security labels of '\(provider)' (a drill's server does not load their module)")
        }
    }
}

extension RestoreTarget {
    /// Throws unless the server takes the labels of an archive. Without their module each of them would end the restore.
    ///
    /// - Parameter subject: what they are of, such as `database 'shop'`.
    func requireProviders(ofLabelsIn archive: ArchiveEntries, _ subject: String) async throws(DumpError) {
        for provider in archive.labelProviders {
            guard try await !hasLoaded(provider) else { continue }
            throw DumpError(
                .settings,
                "\(subject) has security labels of '\(provider)', a module that the server has not loaded",
                hint: "Install the module, add its library to shared_preload_libraries or session_preload_libraries, "
                    + "and restart the server.")
        }
    }

    /// Asks for a label to be taken away, which is rolled back.
    private func hasLoaded(_ provider: String) async throws(DumpError) -> Bool {
        try await changing { session throws(DumpError) in
            try await session.perform("begin")
            let outcome = await Result.awaiting { () async throws(DumpError) in
                try await session.change(
                    "security label for \(provider.asIdentifier) on database \(controlDatabase.asIdentifier) is null")
            }
            try await session.perform("rollback")
            guard case .failure(let error) = outcome else { return true }
            guard error.context["sqlstate"] != nil else { throw error }
            // Another refusal, such as of a right, shows when pg_restore gets it.
            return !error.message.contains("is not loaded")
        }
    }
}
