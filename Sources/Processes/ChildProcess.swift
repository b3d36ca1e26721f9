import CLinux
import Glibc
import SystemPackage

/// A child of this process. Nothing else makes one, and `ProcessReplacement` is all else that starts a program.
struct ChildProcess: Sendable {
    let pid: pid_t

    /// Starts a program in a session of its own, with every signal as it is by default.
    ///
    /// - Parameters:
    ///   - words: its absolute path and its arguments.
    ///   - descriptors: what it has as 0 and on, none of which is below their count. It has no other.
    static func start(
        _ words: [String], _ variables: [String: String], in directory: FilePath, _ descriptors: [Int32]
    ) throws(Errno) -> ChildProcess {
        let pid = withCStrings(words) { words in
            withCStrings(variables.asEnvironment) {
                clinux_spawn(words, $0, directory.string, descriptors, Int32(descriptors.count))
            }
        }
        guard pid > 0 else { throw Errno(rawValue: -pid) }
        return ChildProcess(pid: pid)
    }

    /// Waits for its end: the wait status, or nil if the kernel no longer knows it. To be called once.
    func reap() -> Int32? {
        var status: Int32 = 0
        // It has ended, or was signalled: what interrupts this a thousand times is not our signal.
        for _ in 0..<1000 {
            if waitpid(pid, &status, 0) == pid { return status }
            guard errno == EINTR else { return nil }
        }
        return nil
    }
}

/// Texts as execve(2) takes them. They are valid during the call only.
func withCStrings<Result>(_ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result) -> Result {
    let copies = texts.map { strdup($0) } + [nil]
    defer { for copy in copies { free(copy) } }
    return body(copies)
}

extension [String: String] {
    /// Variables as environ(7) has them.
    var asEnvironment: [String] { map { "\($0.key)=\($0.value)" } }
}
