import DumpCore
import Glibc

/// The environment of a child: a few of our own variables, the program's, and a fixed locale. So messages and sorting do not depend on the
/// user who runs us.
enum ChildEnvironment {
    private static let always: Set<String> = ["PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ"]
    /// Every process that may act as its user can read a process's environment. So no password goes there, even if we were given it so.
    private static let never: Set<String> = ["PGPASSWORD", "BORG_PASSPHRASE", "BORG_NEW_PASSPHRASE"]

    static func of(_ program: Program) -> [String: String] {
        var child: [String: String] = [:]
        for (name, value) in ours where !never.contains(name) {
            if always.contains(name) || program.inheritedPrefixes.contains(where: { name.hasPrefix($0) }) {
                child[name] = value
            }
        }
        child["LC_ALL"] = "C.UTF-8"
        for (name, value) in program.environment { child[name] = value }
        return child
    }

    /// All of our own variables.
    static var ours: [String: String] {
        var variables: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if let equals = text.firstIndex(ofASCII: "=") {
                variables[String(text[..<equals])] = String(text[text.utf8.index(after: equals)...])
            }
            next += 1
        }
        return variables
    }
}
