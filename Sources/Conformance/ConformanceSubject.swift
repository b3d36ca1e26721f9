import DumpCore
import Logging
import SystemPackage

/// A provider with a source of its own, and what can be done to that source to see whether the provider keeps its contract.
///
/// Only the provider must be there. Each of the others lets more claims be checked; without it, those are not applicable.
public protocol ConformanceSubject: Sendable {
    /// For a source that is whole. All that it logs goes to `log`.
    func provider(log: Logger) -> any Provider

    /// A provider of the same kind whose source cannot be reached.
    var unreachable: (any Provider)? { get }

    /// Whether files of that name are never the same twice, because the program that writes them puts the time or a random word into each.
    func isRestless(_ name: String) -> Bool

    /// Secrets that `provider` was given; distinctive, so that they can be looked for.
    var secrets: [String] { get }

    /// What prepare, freeze and dump must leave as it is, in a form to compare; nil if the source has none.
    func fingerprint() async throws -> String?

    /// What the provider still holds open at the source, such as sessions. Empty once everything was given back.
    func leftovers() async throws -> [String]

    /// Runs `body` while no dump of the source can come to its end, such as behind a lock.
    func whileHeldUp(_ body: () async throws -> Void) async throws

    /// Damages the source so that what prepare saw can no longer be dumped as a whole.
    func damage() async throws

    /// Runs `body` while a file system of so many bytes is mounted at `directory`, which is empty.
    func withSmallDisk(bytes: Int, at directory: FilePath, _ body: () async throws -> Void) async throws
}

extension ConformanceSubject {
    public var unreachable: (any Provider)? { nil }
    public func isRestless(_ name: String) -> Bool { false }
    public var secrets: [String] { [] }
    public func fingerprint() async throws -> String? { nil }
    public func leftovers() async throws -> [String] { [] }

    public func whileHeldUp(_ body: () async throws -> Void) async throws {
        throw NotApplicable("nothing holds up a dump of this source")
    }

    public func damage() async throws { throw NotApplicable("nothing damages this source") }

    public func withSmallDisk(bytes: Int, at directory: FilePath, _ body: () async throws -> Void) async throws {
        throw NotApplicable("there is no small disk to dump to")
    }
}
