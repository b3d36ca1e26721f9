import DumpCore

/// A repository as Borg tells it from others, with each list and each archive.
public struct KnownRepository: Sendable, Codable, Hashable {
    /// Borg's, 64 hex digits. A repository that is created again has another.
    public var id: String
    /// Borg's word, such as `repokey-blake2`; `none` without encryption. Nil for a kind that Borg no longer makes.
    public var encryption: String?

    public init(id: String, encryption: String?) {
        self.id = id
        self.encryption = encryption
    }

    /// Whether the host of the repository can read what is in it.
    public var isReadable: Bool { encryption == RepositorySettings.Encryption.none.rawValue || isSignedOnly }

    /// Whether it is not encrypted, and the key only shows that nothing was changed.
    var isSignedOnly: Bool { encryption?.hasPrefix(RepositorySettings.Encryption.authenticated.rawValue) ?? false }
}

/// What Borg's JSON says of the repository, beside what it was asked for.
struct RepositoryDocument: Decodable, Sendable {
    var repository: Entry
    var encryption: Encryption?

    struct Entry: Decodable, Sendable {
        var id: String
    }

    struct Encryption: Decodable, Sendable {
        /// Borg 1's.
        var mode: String?
        /// Borg 2's.
        var encryption: String?
    }

    var known: KnownRepository {
        KnownRepository(id: repository.id, encryption: encryption?.mode ?? encryption?.encryption)
    }
}

extension BorgRepository {
    /// Throws if the repository is not encrypted although the job has it that it is.
    public func requireEncryption(of known: KnownRepository) throws(BorgError) {
        guard known.isReadable, isToBeEncrypted, settings.encryption == nil else { return }
        if known.isSignedOnly, settings.initialize?.rawValue.hasPrefix("authenticated") ?? false { return }
        throw BorgError(
            .notEncrypted,
            "repository '\(name)' is not encrypted (\(known.encryption ?? "")): its host can read all archives",
            hint:
                "Name another location, where Muster creates an encrypted one. If you accept that, write encryption: none.",
            context: ["location": settings.location])
    }

    /// Whether the job gives reason to think so.
    private var isToBeEncrypted: Bool { settings.initialize.map { $0 != .none } ?? (environment.passphrase != nil) }
}
