import DumpCore

extension RestoreChecks {
    /// Whether the server knows the encoding and the locale of each database. It is asked to make a collation of that locale, which is
    /// rolled back.
    func locales(_ session: Session) async throws(DumpError) -> [Finding] {
        var findings: [Finding] = []
        for database in databases {
            let needs = database.dumped.needs
            if let encoding = needs.encoding { findings += try await unknown(encoding, of: database, session) }
            guard let locale = needs.locale else { continue }
            for (part, statement) in locale.collations {
                guard let refusal = try await session.refusal(of: statement) else { continue }
                findings.append(
                    Finding(
                        .failure, "locale_unavailable", object: database.dumped.name,
                        "database '\(database.dumped.name)' has the locale '\(part)', which the server cannot use: \(refusal)",
                        hint: locale.hint(for: part)))
                break
            }
        }
        return findings
    }

    private func unknown(
        _ encoding: String, of database: RestoringDatabase, _ session: Session
    ) async throws(DumpError) -> [Finding] {
        let row = try await session.row("select pg_char_to_encoding($1) >= 0 as is_known", [encoding])
        guard try !row.flag("is_known") else { return [] }
        return [
            Finding(
                .failure, "encoding_unknown", object: database.dumped.name,
                "database '\(database.dumped.name)' has the encoding '\(encoding)', which the server does not know",
                hint: "Restore it to a server of the version that it was dumped from.")
        ]
    }
}

extension LocaleRecord {
    /// A collation for each name of a locale that has to be known, with that name.
    fileprivate var collations: [(String, String)] {
        var collations: [(String, String)] = []
        for part in [collate, ctype] where part != "C" && part != "POSIX" && !part.isEmpty {
            collations.append((part, "provider = libc, locale = \(part.asLiteral)"))
        }
        guard provider != "libc" else { return collations }
        var options = "provider = \(provider == "icu" ? "icu" : "builtin"), locale = \((name ?? "").asLiteral)"
        if let rules { options += ", rules = \(rules.asLiteral)" }
        return collations + [(name ?? "", options)]
    }

    fileprivate func hint(for part: String) -> String {
        switch provider {
        case "icu" where part == name:
            "Install a server that was built with ICU, of the version that was dumped or newer."
        case "builtin" where part == name: "Restore it to PostgreSQL 17 or newer."
        default:
            "On the server's host, install it and restart the server. "
                + "On Debian: add it to /etc/locale.gen, run locale-gen."
        }
    }
}

extension Session {
    /// Why the server cannot make a collation, in its own words; nil if it can. Nothing stays of it.
    fileprivate func refusal(of options: String) async throws(DumpError) -> String? {
        try await perform("begin read write")
        let outcome = await Result.awaiting { () async throws(DumpError) in
            _ = try await query("create collation pg_temp.muster_probe (\(options))")
        }
        try await perform("rollback")
        guard case .failure(let error) = outcome else { return nil }
        guard error.context["sqlstate"] != nil else { throw error }
        let end = error.message.firstRange(of: " answered: ")?.upperBound ?? error.message.startIndex
        let said = String(error.message[end...])
        // Of a locale for another encoding than that of our database, the server says no more than that.
        return said.contains("does not match") || said.contains("not supported with this encoding") ? nil : said
    }
}
