import DumpCore
import Glibc
import Linux
import Settings
import SystemPackage
import TestSupport
import Testing

@testable import Plugins

@Suite("Descriptions of plugins")
struct DescriptionTests {
    private static let good =
        #"{"protocol": 1, "name": "p", "version": "1", "summary": "S.", "verbs": ["prepare", "dump"], "freeze": "none""#

    @Test(
        "A description that promises what Muster does not hold is refused, with the place",
        arguments: [
            (
                #"{"protocol": 2, "anything": true}"#,
                "1:14: protocol: the plugin speaks version 2 of the protocol, and this Muster version 1"
            ),
            (good + #", "setting": {}}"#, "unknown key 'setting' at the top level; did you mean 'settings'?"),
            (good.replacing(#""p""#, with: #""q""#) + "}", "name: must be 'p', as its directory is called"),
            (good.replacing(#", "dump""#, with: "") + "}", "verbs: needs at least 2 entries"),
            (good.replacing(#""dump""#, with: #""undo""#) + "}", "'dump' is missing"),
            (
                good + #", "settings": {"properties": {"a": {"type": "number", "description": "A."}}}}"#,
                "expected string, integer, boolean or array"
            ),
            (
                good + #", "settings": {"properties": {"a": {"type": "string", "maximum": 3, "description": "A."}}}}"#,
                "'maximum' is for the type integer, not for string"
            ),
            (
                good
                    + #", "settings": {"properties": {"a": {"type": "string", "maxLength": 3, "description": "A."}}}}"#,
                "unknown key 'maxLength'"
            ),
            (
                good
                    + #", "settings": {"properties": {"a": {"type": "integer", "default": "x", "description": "A."}}}}"#,
                "the default is not a value that the key may have"
            ),
            (
                good + #", "settings": {"properties": {"run_as": {"type": "string", "description": "A."}}}}"#,
                "1:139: a plugin's key cannot be 'run_as': every dump has 'run_as'"
            ),
            (
                good
                    + #", "settings": {"properties": {"a-b": {"type": "string", "description": "A."}}}, "secrets": {"a_b": "S."}}"#,
                "cannot both be keys"
            ),
            (
                good
                    + #", "settings": {"properties": {"Mode": {"type": "string", "description": "A."}, "mode": {"type": "string", "description": "A."}}}}"#,
                "1:188: 'mode' and 'Mode' cannot both be keys"
            ),
            (
                good + #", "settings": {"properties": {"a": {"type": "string", "default": 3, "description": "A."}}}}"#,
                "the default of a string must be in quotes"
            ),
            (good + #", "volatile": ["../x"]}"#, "must be names of files"),
            (good + #", "settings": {"required": ["a"]}}"#, "'a' is required and not among the properties"),
            (
                good
                    + #", "settings": {"properties": {"a": {"type": "string", "pattern": "(", "description": "A."}}}}"#,
                "is not a regular expression"
            ),
            (good + #", "settings": {"additionalProperties": true}}"#, "must be false"),
            ("", "the file is empty"), ("{", "not valid JSON"),
        ])
    func refused(text: String, message: String) async throws {
        try await withScratch { scratch in
            let directory = try directory("p", in: scratch, text)
            let error = #expect(throws: DumpError.self) { try Plugin(directory) }
            #expect(String(describing: error).contains(message), "\(String(describing: error))")
            #expect(error?.code.rawValue == "plugin_unsuitable")
        }
    }

    @Test("A mistake in a job's settings of a plugin has its place, and the nearest key")
    func settings() async throws {
        try await withScratch { scratch in
            let text =
                Self.good
                + #", "settings": {"properties": {"socket": {"type": "string", "format": "absolute-path", "description": "S."}, "mode": {"type": "string", "enum": ["fast", "slow"], "default": "fast", "description": "M."}, "size": {"type": "string", "format": "bytes", "default": "1KiB", "description": "S."}}, "required": ["socket"]}, "secrets": {"key": "K."}}"#
            let plugin = try Plugin(try directory("p", in: scratch, text))
            var diagnostics = Diagnostics()
            let node = SettingsNode(of: ["sockett": "/x", "mode": "fats", "key": "hunter2"])
            #expect(plugin.description.dumpShape.read(node, besides: [], &diagnostics) == nil)
            let messages = diagnostics.all.map(\.message)
            #expect(messages.contains("unknown key 'sockett' at the top level; did you mean 'socket'?"))
            #expect(messages.contains { $0.hasSuffix("expected fast, slow") })
            #expect(messages.contains { $0.hasSuffix("a secret is never written in a job file") })
            var none = Diagnostics()
            let read = plugin.description.dumpShape.read(SettingsNode(of: ["socket": "/run/x"]), &none)
            #expect(read?.values == ["socket": "/run/x", "mode": "fast", "size": 1024])
        }
    }

    @Test("A program whose interpreter is missing is refused, and the interpreter is named")
    func interpreter() async throws {
        try await withScratch { scratch in
            let directory = try directory("p", in: scratch, Self.good + "}")
            for (line, message) in [
                ("#!/usr/bin/no-such", "begins with #!/usr/bin/no-such, which is not a program here"),
                ("#!/bin/sh\r", "begins with #!/bin/sh\\015, which is not a program here"),
            ] {
                try FileSystem.removeFile(directory.appending("p"))
                try write(line + "\n", to: directory.appending("p"), mode: 0o755)
                let error = #expect(throws: DumpError.self) { try Plugin(directory) }
                #expect(error?.message.hasSuffix(message) == true, "\(String(describing: error))")
            }
        }
    }

    @Test("A plugin that another user can change is refused, and so is one without a program")
    func exposed() async throws {
        try await withScratch { scratch in
            let directory = try directory("p", in: scratch, Self.good + "}")
            _ = try Plugin(directory)
            for path in [directory, directory.appending("p"), directory.appending("plugin.json")] {
                let mode = try FileSystem.status(of: path).mode
                #expect(chmod(path.string, mode | 0o002) == 0)
                let error = #expect(throws: DumpError.self) { try Plugin(directory) }
                #expect(error?.code.rawValue == "plugin_exposed")
                #expect(error?.message.contains("\(path) is writable by all users") == true)
                #expect(chmod(path.string, mode) == 0)
            }
            try write("", to: directory.appending("more"), mode: 0o666)
            #expect(#expect(throws: DumpError.self) { try Plugin(directory) }?.code.rawValue == "plugin_exposed")
            try FileSystem.removeFile(directory.appending("more"))
            #expect(chmod(directory.appending("p").string, 0o644) == 0)
            #expect(
                #expect(throws: DumpError.self) { try Plugin(directory) }?.message.contains("has no program") == true)
        }
    }

    @Test("A plugin is refused if an access control list lets another user change any part of it")
    func exposedByAccessList() async throws {
        try await withScratch { scratch in
            let directory = try directory("p", in: scratch, Self.good + "}")
            for path in [directory, directory.appending("p"), directory.appending("plugin.json")] {
                try await output("setfacl", "-m", "u:23456:rwx", path.string)
                let error = #expect(throws: DumpError.self) { try Plugin(directory) }
                #expect(error?.code.rawValue == "plugin_exposed")
                #expect(error?.message.contains("\(path) is writable by user 23456") == true)
                try await output("setfacl", "-b", path.string)
                _ = try Plugin(directory)
            }
        }
    }

    @Test("The first directory of the path counts, and one that is broken concerns only those who name it")
    func path() async throws {
        try await withScratch { scratch in
            let (one, two) = (scratch.appending("one"), scratch.appending("two"))
            for path in [one, two] { try FileSystem.createDirectory(path) }
            _ = try directory("p", in: one, Self.good + "}")
            _ = try directory("p", in: two, "{}")
            _ = try directory("q", in: two, "{}")
            let kinds = ProviderKinds([.command], further: .plugins)
            #expect(kinds.looking(in: [one, two]).names == ["command", "p", "q"])
            #expect(kinds.looking(in: [one, two]).all.map(\.name) == ["command", "p"])
            #expect(kinds.looking(in: [two]).find("p") == nil)
            #expect(PluginPath([one, two]).directories(of: "p").count == 2)
        }
    }

    private func directory(_ name: String, in scratch: FilePath, _ text: String) throws -> FilePath {
        let directory = scratch.appending(name)
        try FileSystem.createDirectory(directory)
        try write(text, to: directory.appending("plugin.json"), mode: 0o644)
        try write("#!/bin/sh\n", to: directory.appending(name), mode: 0o755)
        return directory
    }
}
