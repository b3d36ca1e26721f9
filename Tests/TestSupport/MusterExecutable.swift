import Glibc
import SystemPackage

/// The muster executable that was built together with these tests.
public let musterExecutable = executable("muster")

/// What muster runs every program under, built together with these tests.
public let keeperExecutable = executable("muster-keeper")
/// Exchanges names as fast as it can: Tests/Swapper/main.c.
public let swapperExecutable = executable("swapper")
/// A Borg that is there at once: Tests/WarmBorg/main.c.
let warmBorgExecutable = executable("warm-borg")
/// Does not want to end: Tests/Hostile/main.c.
public let hostileExecutable = executable("hostile")

private func executable(_ name: String) -> FilePath {
    // The test bundle is loaded from the directory of the build, where the executables lie too. Its path is among the arguments of
    // the test runner, or is the runner itself.
    let candidates = CommandLine.arguments.filter { $0.hasSuffix(".xctest") }.map { FilePath($0) }
    for bundle in candidates + [FilePath(CommandLine.arguments[0])] {
        let executable = bundle.removingLastComponent().appending(name)
        if access(executable.string, X_OK) == 0 { return executable }
    }
    fatalError("no executable \(name) beside the tests: \(CommandLine.arguments)")
}
