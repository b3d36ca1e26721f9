import SystemPackage

/// The mounts that a host is to have: fstab(5).
extension MountTable {
    /// The mount points in `/etc/fstab`.
    public static func configured() throws(Errno) -> [FilePath] {
        points(inLines: try FileSystem.bytes(of: "/etc/fstab"))
    }

    static func points(inLines text: [UInt8]) -> [FilePath] {
        let (blank, tab, newline) = (UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"))
        return text.split(separator: newline).compactMap { line in
            let fields = line.split { $0 == blank || $0 == tab }
            guard fields.count >= 3, fields[0].first != UInt8(ascii: "#"), fields[1].first == UInt8(ascii: "/") else {
                return nil
            }
            return FilePath(String(decoding: fields[1].withoutOctalEscapes, as: UTF8.self))
        }
    }

    /// The deepest of these mount points that is `path` or above it, if nothing is mounted there.
    public func missing(of points: [FilePath], above path: FilePath) -> FilePath? {
        let above = points.filter { path.starts(with: $0) && !$0.components.isEmpty }
        guard let deepest = above.max(by: { $0.components.count < $1.components.count }) else { return nil }
        return mount(at: deepest) == nil ? deepest : nil
    }
}
