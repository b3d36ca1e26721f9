import Linux
import SystemPackage

extension SetInspection {
    /// Throws `.notASet` if there is nothing at all: what is missing is not incomplete.
    static func requireThere(_ root: FilePath) throws(StagingError) {
        do {
            _ = try FileSystem.status(of: root)
        } catch .noSuchFileOrDirectory {
            throw StagingError(
                .notASet, "there is no set at \(root): nothing is there",
                hint: "Check the path. A job's set is there after its first muster dump or muster run.")
        } catch {
            throw StagingError(.system, "cannot look at \(root): \(error)", underlying: error)
        }
    }
}
