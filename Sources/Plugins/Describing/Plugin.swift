import DumpCore
import Glibc
import Linux
import Settings
import SystemPackage

/// A plugin that is installed: its description, which was read, and its program, which was not run.
public struct Plugin: Sendable {
    public let description: PluginDescription
    /// The directory that holds it. Absolute.
    public let directory: FilePath

    public var name: String { description.name }
    var program: FilePath { directory.appending(name) }

    /// Reads the plugin in a directory. Throws all that is wrong with it: it is not to be used then.
    ///
    /// Its program is run as the user that we are, so that no other user may be able to change any part of it.
    public init(_ directory: FilePath) throws(DumpError) {
        let name = directory.lastComponent?.string ?? ""
        guard NameRule.plugins.fault(in: name) == nil else {
            throw DumpError(
                .pluginUnsuitable, "\(directory) cannot be a plugin: its name is not \(NameRule.plugins.expected)",
                hint: "Rename it, its program, and the name in plugin.json.")
        }
        let file = directory.appending("plugin.json")
        let bytes = try Self.contents(of: file)
        var diagnostics = Diagnostics()
        let description = PluginDescription.read(bytes, name: name, &diagnostics)
        guard let description, diagnostics.all.isEmpty else {
            throw DumpError(.pluginUnsuitable, in: file, diagnostics.all)
        }
        self.description = description
        self.directory = directory
        try requireProgram()
    }

    private static let mostBytes = 1 << 20

    private static func contents(of file: FilePath) throws(DumpError) -> [UInt8] {
        do {
            let descriptor = try FileDescriptor.open(file, .readOnly, options: [.closeOnExec, .nonBlocking])
            return try descriptor.closeAfter {
                guard try FileSystem.status(of: descriptor).kind == .file else { throw Errno.invalidArgument }
                let bytes = try descriptor.readAll(atMost: mostBytes + 1)
                guard bytes.count <= mostBytes else { throw Errno.fileTooLarge }
                return bytes
            }
        } catch {
            throw DumpError(
                .pluginUnsuitable, "cannot read \(file): \(error)",
                hint: "A plugin is a directory with plugin.json and a program of the directory's name.")
        }
    }

    private func requireProgram() throws(DumpError) {
        var status = stat()
        guard program.withPlatformString({ stat($0, &status) }) == 0, status.st_mode & S_IFMT == S_IFREG,
            access(program.string, X_OK) == 0
        else {
            throw DumpError(
                .pluginUnsuitable, "plugin '\(name)' has no program: \(program) is not an executable file",
                hint: "Put the program there, and make it executable: chmod 755 \(program).")
        }
        try requireInterpreter()
        try requireControl()
    }

    /// The kernel says of a script without its interpreter that the script is not there.
    private func requireInterpreter() throws(DumpError) {
        let start = (try? Self.start(of: program)) ?? []
        guard start.starts(with: "#!".utf8) else { return }
        let words = start.prefix { $0 != UInt8(ascii: "\n") }.dropFirst(2).split {
            $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t")
        }
        guard let interpreter = words.first.map({ String(decoding: $0, as: UTF8.self) }) else { return }
        guard interpreter.withCString({ access($0, X_OK) }) != 0 else { return }
        let isOfWindows = interpreter.utf8.last == UInt8(ascii: "\r")
        throw DumpError(
            .pluginUnsuitable,
            "plugin '\(name)' cannot run: \(program) begins with #!\(interpreter.onOneLine), which is not a program here",
            hint: isOfWindows
                ? "Save it with the line ends of Unix."
                : "Install the interpreter, or correct the first line of the program.")
    }

    /// As much as the kernel looks at.
    private static func start(of program: FilePath) throws -> [UInt8] {
        let file = try FileDescriptor.open(program, .readOnly, options: [.closeOnExec, .nonBlocking])
        return try file.closeAfter {
            try [UInt8](unsafeUninitializedCapacity: 256) { buffer, count in
                count = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
        }
    }

    /// All that its program may need: its directory, and what it shares with others.
    var parts: [FilePath] {
        let shared = Self.shared(beside: directory).root
        return [directory] + ((try? FileSystem.status(of: shared)) == nil ? [] : [shared])
    }

    /// What the plugins that come with Muster have in common.
    private static func shared(beside directory: FilePath) -> FileTree {
        FileTree(directory.removingLastComponent().appending("shared"))
    }

    /// Throws if another user could exchange what is run, or what is read when it runs.
    private func requireControl() throws(DumpError) {
        let parts: [LoosePart]
        do {
            parts = try FileTree(directory).looseParts() + Self.shared(beside: directory).looseParts()
        } catch {
            throw DumpError(.pluginUnsuitable, "cannot check the files of plugin '\(name)': \(error)")
        }
        guard let part = parts.first else { return }
        throw DumpError(
            .pluginExposed, "plugin '\(name)' is not safe from other users: \(part)", hint: part.remedy)
    }
}

extension FileTree {
    /// What is on the way to the tree and in it that another user can change. Nothing there is fine.
    fileprivate func looseParts() throws(Errno) -> [LoosePart] {
        guard (try? FileSystem.status(of: root)) != nil else { return [] }
        var parts = try root.loosePartsOfFile()
        try visitAll { entry throws(Errno) in parts += try root.pushing(entry.path).loosePartsOfFile() }
        return parts
    }
}

extension DumpError {
    /// All mistakes of a file, the first of them as the message.
    init(_ code: Code, in file: FilePath, _ mistakes: [Diagnostic]) {
        let sorted = mistakes.sorted { ($0.mark, $0.message) < ($1.mark, $1.message) }
        let lines = sorted.map { "\(file):\($0.mark.line):\($0.mark.column): \($0.message)" }
        self.init(
            code, lines.first ?? "\(file) cannot be understood", hint: sorted.first?.hint,
            context: lines.count > 1 ? ["mistakes": lines.joined(separator: "\n")] : [:])
    }
}

extension DumpErrorCode {
    /// A plugin that is not there, or that has mistakes.
    static let pluginUnsuitable = Self(rawValue: "plugin_unsuitable")
    /// Other users can change a plugin.
    static let pluginExposed = Self(rawValue: "plugin_exposed")
    /// A plugin's program said what the protocol does not allow.
    static let pluginProtocol = Self(rawValue: "plugin_protocol")
}
