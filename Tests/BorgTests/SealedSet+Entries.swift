import Staging
import SystemPackage

extension SealedSet {
    func entries() throws -> [Entry] {
        var entries: [Entry] = []
        try visitAll { entry throws(Errno) in entries.append(entry) }
        return entries
    }
}
