import DumpCore
import Processes

extension BorgRepository {
    /// Becomes Borg, with the repository and its passphrase at hand. Returns only by throwing.
    ///
    /// What Borg is told, and what it says, is between it and the operator: nothing of it is looked at.
    public func passThrough(_ arguments: [String]) throws(BorgError) -> Never {
        do {
            try environment.replacement(try Executables.find(settings.program), arguments).perform()
        } catch {
            throw BorgError(error)
        }
    }
}
