import DumpCore
import Glibc
import Linux
import Settings
import SystemPackage

/// The directories in which plugins are looked for, in their order.
public struct PluginPath: Sendable {
    public let directories: [FilePath]

    /// - Parameter directories: absolute; nil is the usual ones.
    public init(_ directories: [FilePath]? = nil) { self.directories = directories ?? Self.usual }

    /// The operator's own, then those that came with this Muster: `lib/muster/plugins` beside the `bin` that it is in.
    public static let usual: [FilePath] = {
        let own: FilePath = "/etc/muster/plugins"
        guard let path = realpath("/proc/self/exe", nil) else { return [own, "/usr/lib/muster/plugins"] }
        defer { free(path) }
        let prefix = FilePath(platformString: path).removingLastComponent().removingLastComponent()
        return [own, prefix.appending("lib/muster/plugins")]
    }()

    /// What of a name is there: the first counts, and hides the others.
    public func directories(of name: String) -> [FilePath] {
        directories.map { $0.appending(name) }.filter { isPlugin($0) }
    }

    /// The names of what looks like a plugin, be it of use or not. Sorted.
    public var names: [String] {
        let found = directories.flatMap { directory in
            ((try? FileSystem.names(in: directory)) ?? []).filter { isPlugin(directory.appending($0)) }.map(\.string)
        }
        return Set(found).sorted()
    }

    /// Nil if there is none of that name.
    public func plugin(named name: String) throws(DumpError) -> Plugin? {
        guard NameRule.plugins.fault(in: name) == nil, let directory = directories(of: name).first else { return nil }
        return try Plugin(directory)
    }

    private func isPlugin(_ directory: FilePath) -> Bool {
        (try? FileSystem.status(of: directory.appending("plugin.json"))) != nil
    }
}

extension ProviderKinds.Further {
    /// The plugins of a path.
    public static let plugins = Self {
        PluginPath($0).names
    } find: { name, directories in
        do throws(DumpError) {
            return .success(try PluginPath(directories).plugin(named: name).map { ProviderKind(plugin: $0) })
        } catch {
            return .failure(Fault(error.message, hint: error.hint))
        }
    }
}
