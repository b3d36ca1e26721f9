import DumpCore

extension Shape<SecretSource> {
    /// Where a secret comes from: a mapping with one of the keys `file`, `command` and `credential`.
    ///
    /// Nothing that is written here is ever repeated in a message, as it may be the secret itself. A command is not shown again
    /// either: `echo hunter2` is one.
    public static var secret: Shape {
        Shape(schema: secretSchema) { node, diagnostics in
            switch node.content {
            case .scalar where !node.isNull:
                diagnostics.report(
                    Fault("a secret is never written in a job file", hint: howToWrite), at: node)
                return nil
            case .mapping(let entries):
                return read(entries, of: node, &diagnostics)
            default:
                diagnostics.report(expected: "a mapping with file, command or credential", at: node, hint: howToWrite)
                return nil
            }
        } writer: { source in
            switch source {
            case .file(let path): ["file": .text(path)]
            case .command: ["command": .text(redactedCommand)]
            case .credential(let name): ["credential": .text(name)]
            }
        }
    }

    private static func read(
        _ entries: [SettingsNode.Entry], of node: SettingsNode, _ diagnostics: inout Diagnostics
    ) -> SecretSource? {
        let known = ["file", "command", "credential"]
        let unknown = entries.filter { !known.contains($0.key) }
        for entry in unknown {
            let near = nearestWord(to: entry.key, among: known).map { "; did you mean '\($0)'?" } ?? ""
            diagnostics.report(
                Diagnostic(entry.keyMark, node.path, "unknown key \(node.path.place)\(near)", hint: howToWrite))
        }
        guard unknown.isEmpty else { return nil }
        guard entries.count == 1, let entry = entries.first else {
            let found = entries.isEmpty ? "none" : listed(entries.map(\.key), "and")
            diagnostics.report(Fault("expected one of file, command and credential, found \(found)"), at: node)
            return nil
        }
        guard case .scalar(let text, _) = entry.value.content, !entry.value.isNull else {
            if case .refused = entry.value.content { return nil }
            diagnostics.report(Fault("expected text"), at: entry.value)
            return nil
        }
        if let fault = fault(in: text, as: entry.key) {
            diagnostics.report(fault, at: entry.value)
            return nil
        }
        switch entry.key {
        case "file": return .file(text)
        case "command": return .command(text)
        default: return .credential(text)
        }
    }

    private static func fault(in text: String, as key: String) -> Fault? {
        switch key {
        case "command":
            guard text != redactedCommand else {
                return Fault("'config show' leaves the command out", hint: "Write the command itself.")
            }
            return text.isEmpty || text.contains("\0") ? Fault("must be a command line for /bin/sh") : nil
        case _ where text.unicodeScalars.contains(where: \.isControl):
            return Fault("must be one line without control characters")
        case "file":
            return text.hasPrefix("/") ? nil : Fault("must be an absolute path")
        default:
            return text.matches(all: credentialPattern)
                ? nil : Fault("must be the name of a systemd credential, as in LoadCredential=NAME:PATH")
        }
    }
}

/// What stands for a command that is not shown. Refused where a command is read.
private let redactedCommand = "(redacted)"

/// What `credential_name_valid()` of systemd accepts, less blanks and the like.
private let credentialPattern = "[A-Za-z0-9_][A-Za-z0-9_.@+=,-]{0,254}"

private let howToWrite = "Write {file: /path/to/it}, {command: …} or {credential: NAME}."

private let secretSchema: PlainValue = [
    "type": "object",
    "properties": [
        "file": [
            "type": "string", "pattern": "^/", "description": "A file that holds it. One final newline does not count.",
        ],
        "command": [
            "type": "string", "minLength": 1,
            "description": "A command line for /bin/sh that prints it. One final newline does not count.",
        ],
        "credential": [
            "type": "string", "pattern": .text("^(\(credentialPattern))$"),
            "description": "The name of a systemd credential (LoadCredential=).",
        ],
    ],
    "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
]
