import DumpCore
import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("A process's identity")
struct ProcessIdentityTests {
    @Test("is alive for as long as the process runs, not until somebody has waited for it")
    func zombie() throws {
        var pid: pid_t = 0
        let arguments = [strdup("sleep"), strdup("1000"), nil]
        defer { for text in arguments { free(text) } }
        try #require(posix_spawn(&pid, "/bin/sleep", nil, nil, arguments, environ) == 0)

        let fields = try read(FilePath("/proc/\(pid)/stat")).split(separator: " ")
        let identity = ProcessIdentity(
            pid: pid, startTicks: try #require(UInt64(fields[21])), bootID: ProcessIdentity.current.bootID)
        #expect(identity.isAlive && !identity.hasSuccessor)
        var another = identity
        another.startTicks -= 1
        #expect(!another.isAlive && another.hasSuccessor)

        kill(pid, SIGKILL)
        var ended = siginfo_t()
        try #require(waitid(P_PID, id_t(pid), &ended, WEXITED | WNOWAIT) == 0)
        #expect(!identity.isAlive && !identity.hasSuccessor)
        var status: Int32 = 0
        #expect(waitpid(pid, &status, 0) == pid)
        #expect(!identity.isAlive && !identity.hasSuccessor)
    }
}
