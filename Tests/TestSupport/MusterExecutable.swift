import Glibc
import SystemPackage

/// The muster executable that was built together with these tests.
public let musterExecutable: FilePath = {
    // The test bundle is loaded from .build/<triple>/debug, where the executable lies too. Its path is among the arguments of
    // the test runner, or is the runner itself.
    let candidates = CommandLine.arguments.filter { $0.hasSuffix(".xctest") }.map { FilePath($0) }
    for bundle in candidates + [FilePath(CommandLine.arguments[0])] {
        let executable = bundle.removingLastComponent().appending("muster")
        if access(executable.string, X_OK) == 0 { return executable }
    }
    fatalError("no muster executable beside the tests: \(CommandLine.arguments)")
}()
