import DumpCore
import Linux
import Settings
import SystemPackage

/// A plugin to begin with: in sh, and it works.
public struct PluginSkeleton: Sendable {
    let name: String

    public init(name: String) throws(DumpError) {
        guard NameRule.plugins.fault(in: name) == nil else {
            throw DumpError(
                .settings, "'\(name)' cannot be the name of a plugin", hint: "Choose \(NameRule.plugins.expected).")
        }
        self.name = name
    }

    /// - Parameter directory: its own, which is not there yet.
    public func write(to directory: FilePath) throws(DumpError) {
        do {
            try FileSystem.createDirectory(directory)
            try write(description, to: directory.appending("plugin.json"), mode: 0o644)
            try write(program, to: directory.appending(name), mode: 0o755)
        } catch Errno.fileExists {
            throw DumpError(
                .settings, "\(directory) is already there", hint: "Choose another name, or another directory.")
        } catch {
            throw DumpError(
                .system, "cannot write \(directory): \(error)", hint: "Name a directory that you may write to.")
        }
    }

    private func write(_ text: String, to path: FilePath, mode: UInt32) throws {
        let file = try FileSystem.createFile(path)
        try file.closeAfter {
            _ = try file.writeAll(text.utf8)
            try file.setMode(mode)
        }
    }

    private var description: String {
        """
        {
          "protocol": 1,
          "name": "\(name)",
          "version": "0.1",
          "summary": "One file, until you change this.",
          "verbs": ["prepare", "dump"],
          "freeze": "none",
          "settings": {
            "type": "object",
            "properties": {
              "path": {"type": "string", "format": "absolute-path", "description": "What to dump."}
            },
            "required": ["path"]
          },
          "secrets": {}
        }

        """
    }

    private var program: String {
        """
        #!/bin/sh
        # Dumps one file. Change 'look' and 'write', and keep the rest. plugins/README.md says all about it.
        set -eu
        # Events go to descriptor 5. Whatever else is printed goes to the log.
        exec 5>&1 1>&2

        say() { printf '%s\\n' "$1" >&5; }

        # As the inside of a text of JSON.
        quoted() { printf %s "$1" | tr '\\n\\t' '  ' | sed 's/["\\\\]/\\\\&/g'; }

        fail() { # code, message in lower case, hint as a sentence
            say "{\\"event\\": \\"error\\", \\"code\\": \\"$1\\", \\"message\\": \\"$(quoted "$2")\\", \\"hint\\": \\"$(quoted "$3")\\"}"
            exit 1
        }

        # Whether the source can be dumped, and about how many bytes it has. Changes nothing.
        look() {
            [ -r "$MUSTER_SETTING_PATH" ] || fail source_unavailable 'the file cannot be read' 'Correct path: in the job file.'
            bytes=$(stat -L -c %s "$MUSTER_SETTING_PATH")
        }

        # Writes the dump into the working directory, and makes sure that it is whole.
        write() {
            cat "$MUSTER_SETTING_PATH" >data || fail no_space 'the file cannot be copied' 'Free space in the staging area.'
        }

        case $1 in
        prepare)
            look
            say "{\\"event\\": \\"unit\\", \\"name\\": \\"data\\", \\"path\\": \\"data\\", \\"bytes\\": $bytes}"
            say '{"event": "summary"}'
            ;;
        dump)
            look
            write
            say '{"event": "summary", "consistency": "live"}'
            ;;
        esac

        """
    }
}
