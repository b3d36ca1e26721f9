import Linux
import SystemPackage

extension RepositorySettings {
    /// Throws when a user other than root and us can change the files that ssh goes by: then that user says which server is trusted.
    public func requireControlOfKeys() throws(BorgError) {
        for (key, file) in [("identity_file", ssh?.identityFile), ("known_hosts", ssh?.knownHosts)] {
            guard let file else { continue }
            let parts: [LoosePart]
            do {
                parts = try file.loosePartsOfFile()
            } catch {
                throw BorgError(.settings, "cannot check the path to \(key): \(file): \(error)")
            }
            guard let part = parts.first, !file.starts(with: "/run/secrets") else { continue }
            throw BorgError(
                .settings, "\(key): \(file) is not safe from other users: \(part)", hint: part.remedy)
        }
    }
}
