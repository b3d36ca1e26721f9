import MusterConfig
import Settings

/// `config/reference.yaml`: a job with every key there is.
///
/// Prose begins with `# `. A key that has no default, and need not be there, stands behind a `#` without a blank. So do the lines of
/// what belongs to it: taking that one character away puts it into force.
struct ReferenceJob {
    private let reference = JobReference()

    var text: String {
        Self.opening
            + reference.job.keys.map { key in
                switch key.name {
                case "dumps":
                    entry(
                        key, zip(["app", "documents"], reference.dumps).map { ($0, provider($1) + lines(of: $1.keys)) })
                case "repositories": entry(key, [("offsite", lines(of: reference.repository.keys))])
                case "notify": receivers(key)
                default: lines(of: key)
                }
            }.joined(separator: [""]).joined(separator: "\n")
    }

    private static let opening = """
        # Every key that a job file may have. Made by make documents from the schema of job files; do not edit.
        # Keys with a default have it here. Take the # from another one, and from the lines below it, to use it.


        """

    private func entry(_ key: SettingsKey, _ named: [(name: String, lines: [String])]) -> [String] {
        prose(key.help) + ["\(key.name):"]
            + named.flatMap { ["  \($0.name):"] + $0.lines.map { $0.isEmpty ? "" : "    \($0)" } }
    }

    /// One for each way to a receiver, behind a `#` as a whole: there are no receivers by default. One has the keys that all may have.
    private func receivers(_ key: SettingsKey) -> [String] {
        let ways = zip(Self.receivers, reference.receiver.keys)
        let common = reference.receiver.keys.dropFirst(Self.receivers.count)
        var lines = prose(key.help) + ["#\(key.name):"]
        for (name, way) in ways {
            let keys = [way] + (way.name == "http" ? Array(common) : [])
            lines.append("#  \(name):")
            for key in keys { lines += (prose(key.help) + setting(key)[0]).map { "#    \($0)" } }
        }
        return lines
    }

    private static let receivers = ["monitor", "chat", "mail", "program"]

    private func provider(_ section: JobReference.Section) -> [String] {
        ["provider: \(section.title.split(atASCII: " ").last ?? "")"]
    }

    private func lines(of keys: [SettingsKey]) -> [String] { keys.flatMap { lines(of: $0) } }

    private func lines(of key: SettingsKey) -> [String] {
        let settings = setting(key)
        let isActive = key.isRequired || key.standard != nil || (key.mapping != nil && !key.isNullable)
        let shown = isActive || Self.active.contains(key.path) ? settings[0] : settings[0].map { "#\($0)" }
        return prose(key.help) + shown + settings.dropFirst().flatMap { $0.map { "#\($0)" } }
    }

    /// Keys that need one another, and that most jobs have.
    private static let active: Set<String> = ["passphrase", "initialize"]

    /// Each way to write a key.
    private func setting(_ key: SettingsKey) -> [[String]] {
        if key.isChoiceOfKeys {
            let words =
                key.forms.filter { $0["enum"] != nil }.isEmpty ? [] : [["\(key.name): \(key.example?.inline ?? "")"]]
            return words + key.inner.map { inner in choice(key, inner) }
        }
        guard key.mapping == nil else { return [["\(key.name):"] + lines(within: key).map { "  \($0)" }] }
        return [["\(key.name): \((key.standard ?? key.example ?? .null).inline)"]]
    }

    /// One of several keys of which only one may be there.
    private func choice(_ key: SettingsKey, _ inner: SettingsKey) -> [String] {
        guard inner.mapping != nil else {
            let example = Self.secrets[inner.name].map { $0.replacing("SECRET", with: key.name) } ?? ""
            return ["\(key.name): {\(inner.name): \(example)}"]
        }
        return ["\(key.name):"] + prose(inner.help, indent: "  ") + ["  \(inner.name):"]
            + lines(within: inner).map { "    \($0)" }
    }

    private static let secrets = [
        "file": "/run/secrets/SECRET", "command": "cat /run/secrets/SECRET", "credential": "SECRET",
    ]

    /// Within a mapping that is commented out as a whole, nothing is commented out by itself.
    private func lines(within key: SettingsKey) -> [String] {
        key.inner.flatMap { inner in
            key.isOptionalMapping
                ? prose(inner.help) + (exampleOfNothing(inner) ?? setting(inner)[0]) : lines(of: inner)
        }
    }

    /// What says more than an empty list or mapping.
    private func exampleOfNothing(_ key: SettingsKey) -> [String]? {
        guard [.list([]), .mapping([])].contains(key.standard), let example = key.example else { return nil }
        return ["\(key.name): \(example.inline)"]
    }

    private func prose(_ help: String, indent: String = "") -> [String] {
        help.splitAtASCIISpace().reduce(into: [String]()) { lines, word in
            if let last = lines.last, last.count + word.count < 110 {
                lines[lines.count - 1] += " \(word)"
            } else {
                lines.append("\(indent)# \(word)")
            }
        }
    }
}

extension SettingsKey {
    /// A mapping that need not be there, and then means something else than one with every default.
    fileprivate var isOptionalMapping: Bool { mapping != nil && isNullable }
}
