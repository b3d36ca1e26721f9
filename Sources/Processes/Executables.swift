import DumpCore
import Glibc
import SystemPackage

/// Finds programs, so that a missing one is an error before anything has begun.
public enum Executables {
    /// The first executable file called `name` in the directories of `PATH`, or `name` itself if it is a path.
    public static func find(_ name: String) throws(ProcessError) -> FilePath {
        if name.contains("/") {
            guard isExecutable(FilePath(name)) else {
                throw ProcessError(
                    .programNotFound, "\(name) is not an executable file",
                    hint: "Check the path, and that the file may be executed.")
            }
            return FilePath(name)
        }
        for directory in searchPath {
            let candidate = directory.appending(name)
            if isExecutable(candidate) { return candidate }
        }
        throw ProcessError(
            .programNotFound, "\(name) is not installed, or not in PATH",
            hint: "Install it, or name its path in the job file.",
            context: ["PATH": searchPath.map(\.string).joined(separator: ":")])
    }

    public static func isExecutable(_ path: FilePath) -> Bool {
        var facts = stat()
        return path.withPlatformString { access($0, X_OK) == 0 && stat($0, &facts) == 0 }
            && facts.st_mode & S_IFMT == S_IFREG
    }

    /// The directories of `PATH`.
    public static var searchPath: [FilePath] {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
        return path.split(atASCII: ":").map { FilePath(String($0)) }.filter(\.isAbsolute)
    }
}
