import DumpCore
import Jobs
import Linux
import Settings
import SystemPackage
import YAML

/// Job files: where they are, and how they are read.
public enum JobFile {
    /// More than any job needs; keeps a wrong file from being read whole.
    static let sizeLimit = 1 << 20

    /// Reads and validates a job. Throws all mistakes of the file at once.
    ///
    /// - Parameters:
    ///   - path: a YAML or JSON file; its name without extension is the job's name.
    ///   - kinds: the providers that dumps may name.
    public static func load(
        _ path: FilePath, kinds: ProviderKinds
    ) throws(ConfigurationError) -> Job {
        let name = path.stem ?? ""
        if let fault = NameRule.entries.fault(in: name) {
            throw ConfigurationError(
                .invalid, "\(path) cannot be a job: \(fault.message)",
                hint: "A job is named by its file, as it is part of the names of its archives. Rename the file.")
        }
        let bytes = try contents(of: path)
        var plan = try parse(bytes, name: name, file: path, kinds: kinds)
        plan.exposure = try exposure(of: path, toAllBut: plan.dumps.compactMap(\.settings.programUser))
        return plan
    }

    /// Throws if another user could put another file in the place of the job. Muster runs what is in the job file as its own user.
    ///
    /// A directory of a user who gets the job's dumps is returned, for a warning. A file that such a user puts there belongs to that user,
    /// and is refused for that.
    private static func exposure(
        of path: FilePath, toAllBut users: [String]
    ) throws(ConfigurationError) -> LoosePart? {
        let parts: [LoosePart]
        do {
            parts = try path.loosePartsOfFile()
        } catch {
            throw ConfigurationError(.unreadable, "cannot check the path to \(path): \(error)")
        }
        let accounts = users.compactMap { UserAccount(named: $0) }
        guard let part = parts.first(where: { part in !accounts.contains(where: part.isHeld) }) else {
            return parts.first
        }
        throw exposed(path, part)
    }

    private static func exposed(_ path: FilePath, _ part: LoosePart) -> ConfigurationError {
        ConfigurationError(
            .exposed, "\(path) is not safe from other users: \(part)", hint: part.remedy)
    }

    /// Validates the contents of a job file. Throws all mistakes at once.
    public static func parse(
        _ bytes: [UInt8], name: String, file: FilePath, kinds: ProviderKinds
    ) throws(ConfigurationError) -> Job {
        var diagnostics = Diagnostics()
        var plan: Job?
        if let root = YAMLComposer.compose(bytes, as: .job, &diagnostics) {
            let kinds = kinds.looking(in: pluginPath(in: root), for: providers(in: root))
            plan = Job.shape(kinds: kinds, name: name, file: file).read(root, &diagnostics)
        }
        guard let plan, diagnostics.all.isEmpty else {
            throw ConfigurationError(file: file, diagnostics: diagnostics.all)
        }
        return plan
    }

    /// Which kinds there are depends on it, so that it is read first. Its mistakes are reported with all others.
    private static func pluginPath(in root: SettingsNode) -> [FilePath]? {
        var ignored = Diagnostics()
        return root["plugin_path"].flatMap { Shape.list(of: .absolutePath).read($0, &ignored) }
    }

    /// What its dumps name as their providers, also one that stands beside its dump by mistake.
    private static func providers(in root: SettingsNode) -> Set<String> {
        guard case .mapping(let entries)? = root["dumps"]?.content else { return [] }
        return Set(
            entries.compactMap { entry in
                let provider = entry.key == "provider" ? entry.value : entry.value["provider"]
                guard case .scalar(let name, _)? = provider?.content else { return nil }
                return name
            })
    }

    private struct NoFile: Error {}

    private static func hint(for error: Errno?) -> String? {
        switch error {
        case .permissionDenied?: "Run Muster as root, or as the owner of the file."
        case .noSuchFileOrDirectory?:
            "Check its name. A job in the directory for jobs needs no file: name it without .yaml."
        default: nil
        }
    }

    private static func contents(of path: FilePath) throws(ConfigurationError) -> [UInt8] {
        let bytes: [UInt8]
        do {
            // A FIFO would be waited for.
            let file = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .nonBlocking])
            bytes = try file.closeAfter {
                guard try [.file, .directory].contains(FileSystem.status(of: file).kind) else { throw NoFile() }
                // Check the file that is read, whatever has its name before or after.
                if let part = try LoosePart(of: file, at: path) { throw exposed(path, part) }
                return try file.readAll(atMost: sizeLimit + 1)
            }
        } catch let error as ConfigurationError {
            throw error
        } catch is NoFile {
            throw ConfigurationError(
                .unreadable, "cannot read \(path): it is not a regular file", hint: "Write the job to a file.")
        } catch {
            let number = error as? Errno
            throw ConfigurationError(
                .unreadable, "cannot read \(path): \(number.map(\.description) ?? "\(error)")", hint: hint(for: number))
        }
        guard bytes.count <= sizeLimit else {
            throw ConfigurationError(
                .unreadable, "\(path) is larger than \(formatBytes(Int64(sizeLimit)))",
                hint: "This is not a job file.")
        }
        return bytes
    }
}

extension YAMLComposer.Words {
    fileprivate static let job = Self(
        file: "job file", ifEmpty: "A job needs at least the keys staging and dumps.",
        ifSecond: "A file holds one job.")
}
