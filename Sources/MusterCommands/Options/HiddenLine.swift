import DumpCore
import Glibc

/// A line that a person types on the terminal and that the terminal does not show.
struct HiddenLine {
    var question: String

    /// Nil for an empty line, and where standard input is not a terminal, which cannot be asked. Throws when the task is cancelled.
    func ask() throws -> Secret? {
        var shown = termios()
        guard isatty(STDIN_FILENO) == 1, tcgetattr(STDIN_FILENO, &shown) == 0 else { return nil }
        var hidden = shown
        hidden.c_lflag &= ~tcflag_t(ECHO)
        hidden.c_lflag |= tcflag_t(ECHONL)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
        defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown) }
        Console.shared.prompt(question)
        return try line()
    }

    private func line() throws -> Secret? {
        var bytes: [UInt8] = []
        defer { bytes.wipe() }
        bytes.reserveCapacity(Self.longest)
        while bytes.last != UInt8(ascii: "\n"), bytes.count < Self.longest {
            var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            guard poll(&input, 1, 200) > 0 else {
                try Task.checkCancellation()
                continue
            }
            var byte: UInt8 = 0
            guard read(STDIN_FILENO, &byte, 1) == 1 else { break }
            bytes.append(byte)
        }
        let line = bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...]
        return line.isEmpty ? nil : Secret(String(decoding: line, as: UTF8.self))
    }

    private static let longest = 4096
}
