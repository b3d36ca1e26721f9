import DumpCore
import Processes

extension BorgRepository {
    /// Becomes Borg, with the repository and its passphrase at hand. Returns only by throwing.
    ///
    /// Arguments and output stay between Borg and the operator: Muster looks at nothing of them.
    public func passThrough(_ arguments: [String]) throws(BorgError) -> Never {
        do {
            try environment.replacement(try Executables.find(settings.program), arguments).perform()
        } catch {
            throw BorgError(error)
        }
    }
}
