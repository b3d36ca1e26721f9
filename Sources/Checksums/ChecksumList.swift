import Linux
import SystemPackage

/// A list of files with their SHA-256, in the format that `sha256sum` writes and `sha256sum -c` reads.
///
/// One line for each file: digest, two spaces, path. A path that holds a backslash, a newline or a carriage return is written
/// with `\\`, `\n` or `\r` in their places, and its line begins with a backslash (coreutils manual, "md5sum invocation").
public struct ChecksumList: Sendable, Hashable {
    public struct Line: Sendable, Hashable {
        /// 64 lower-case hex digits.
        public var sha256: String
        public var path: FilePath

        public init(sha256: String, path: FilePath) {
            self.sha256 = sha256
            self.path = path
        }
    }

    public var lines: [Line]

    public init(_ lines: [Line] = []) { self.lines = lines }

    /// The list as the bytes of its file. Paths are bytes, not text: they need not be UTF-8.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for line in lines {
            let path = line.path.bytes
            let escaped = path.flatMap { escapes[$0].map { [backslash, $0] } ?? [$0] }
            if escaped.count != path.count { bytes.append(backslash) }
            bytes += line.sha256.utf8
            bytes += "  ".utf8
            bytes += escaped
            bytes.append(newline)
        }
        return bytes
    }
}

let backslash = UInt8(ascii: "\\")
let newline = UInt8(ascii: "\n")

/// What follows the backslash, by the byte that it stands for.
let escapes: [UInt8: UInt8] = [
    backslash: backslash, newline: UInt8(ascii: "n"), UInt8(ascii: "\r"): UInt8(ascii: "r"),
]
