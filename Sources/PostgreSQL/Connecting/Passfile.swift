import DumpCore

/// A password in the form in which libpq reads it from a file: one line that holds for every server, database and role.
enum Passfile {
    static func text(for password: Secret) throws(DumpError) -> Secret {
        let value = password.reveal()
        guard !value.unicodeScalars.contains(where: { $0 == "\n" || $0 == "\0" }) else {
            throw DumpError(
                .settings, "the password has more than one line",
                hint: "Let 'password:' lead to the password alone.")
        }
        return Secret("*:*:*:*:\(value.marking(":", "\\", with: "\\"))\n")
    }
}
