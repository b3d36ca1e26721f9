import DumpCore

extension ServerFacts.Role {
    /// What the role lacks for a whole dump.
    var findings: [Finding] {
        var findings: [Finding] = []
        if !readsAllData {
            findings.append(
                Finding(
                    .warning, "role_reads_not_all", object: name,
                    "role '\(name)' is neither superuser nor member of pg_read_all_data: it may fail to read some table",
                    hint: "GRANT pg_read_all_data TO it (PostgreSQL 14 and newer), or connect as a superuser."))
        }
        return findings
    }

    var omissions: [Finding] {
        guard !readsPasswords else { return [] }
        return [
            Finding(
                .warning, .rolePasswordsUnreadable, object: name,
                "role '\(name)' may not read pg_authid: the dumped roles have no passwords",
                hint:
                    "GRANT pg_read_all_data TO it, connect as a superuser, or set the passwords again after a restore."
            )
        ]
    }
}
