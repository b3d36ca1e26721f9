import Staging
import SystemPackage

extension SealedSet {
    /// Everything in the set as it is now, parents first.
    public func entries() throws -> [Entry] {
        var entries: [Entry] = []
        try visitAll { entry throws(Errno) in entries.append(entry) }
        return entries
    }
}
