import Glibc
import Linux
import SystemPackage

/// What a program writes, on its way to us.
struct OutputPipe: ~Copyable {
    /// Ours; -1 once all was read.
    private(set) var readEnd: Int32 = -1
    /// The program's; -1 once it has it.
    private(set) var writeEnd: Int32 = -1

    /// Where nothing passes through us.
    static var none: OutputPipe { OutputPipe(readEnd: -1, writeEnd: -1) }

    private init(readEnd: Int32, writeEnd: Int32) {
        self.readEnd = readEnd
        self.writeEnd = writeEnd
    }

    init() throws(Errno) {
        let ends = try makePipe()
        (readEnd, writeEnd) = (ends.read.rawValue, ends.write.rawValue)
        _ = fcntl(readEnd, F_SETFL, O_NONBLOCK)
    }

    deinit {
        if readEnd >= 0 { close(readEnd) }
        if writeEnd >= 0 { close(writeEnd) }
    }

    mutating func closeWriteEnd() {
        guard writeEnd >= 0 else { return }
        close(writeEnd)
        writeEnd = -1
    }

    /// Reads what is there, and waits for nothing. While the program runs it reads up to a mebibyte, so that a fast writer does not keep us
    /// from all else. Once the program has ended, it reads everything.
    mutating func drain(everything: Bool, _ deliver: (UnsafeRawBufferPointer) -> Void) throws(Errno) {
        let failure: Errno? = withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 16) { buffer in
            var rounds = 0
            while readEnd >= 0, everything || rounds < 16 {
                rounds += 1
                let count = read(readEnd, buffer.baseAddress, buffer.count)
                if count > 0 {
                    SignOfLife.give()
                    deliver(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                } else if count == 0 {
                    close(readEnd)
                    readEnd = -1
                } else if errno == EAGAIN {
                    return nil
                } else if errno != EINTR {
                    return Errno(rawValue: errno)
                }
            }
            return nil
        }
        if let failure { throw failure }
    }
}
