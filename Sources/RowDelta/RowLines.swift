import DumpCore
import Glibc
import Linux
import SystemPackage

/// The lines of a file as they are, whatever they mean.
enum RowLines {
    static func count(in path: FilePath, until stop: StopSign) throws(RowDeltaError) -> Int64 {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { buffer.deallocate() }
        return try withFile(path) { file throws(RowDeltaError) in
            var count: Int64 = 0
            while true {
                try stop.check(RowDeltaError.self)
                let read = try attempting(.cannotRead, to: "read", path) { try file.read(into: buffer) }
                guard read > 0, let base = buffer.baseAddress else { return count }
                var (place, left) = (base, read)
                while left > 0, let found = memchr(place, Int32(UInt8(ascii: "\n")), left) {
                    count += 1
                    left -= UnsafeMutableRawPointer(found) - place + 1
                    place = UnsafeMutableRawPointer(found) + 1
                }
            }
        }
    }

    /// Calls `body` with each line, its newline included.
    static func forEach(
        in path: FilePath, until stop: StopSign, _ body: (UnsafeRawBufferPointer) throws(RowDeltaError) -> Void
    ) throws(RowDeltaError) {
        try withFile(path) { file throws(RowDeltaError) in
            var lines = ByteLines(file)
            while true {
                try stop.check(RowDeltaError.self)
                let line = try attempting(.cannotRead, to: "read", path) { try lines.next() }
                guard let line else { return }
                let outcome = (line + [UInt8(ascii: "\n")]).withUnsafeBytes { line in
                    Result { () throws(RowDeltaError) in try body(line) }
                }
                try outcome.get()
            }
        }
    }

    private static func withFile<Value>(
        _ path: FilePath, _ body: (FileDescriptor) throws(RowDeltaError) -> Value
    ) throws(RowDeltaError) -> Value {
        let file = try attempting(.cannotRead, to: "read", path) {
            try FileDescriptor.open(path, .readOnly, options: [.noFollow, .closeOnExec, .nonBlocking])
        }
        // It is only read.
        defer { try? file.close() }
        return try body(file)
    }
}
