import DumpCore
import Logging

/// A provider with a source of its own, as the suite needs it. Every provider's tests write one.
public protocol ConformanceSubject: Sendable {
    /// For a source that is whole: at least two units of work, at least 256 KiB when dumped. All that it logs goes to `log`.
    func provider(log: Logger) -> any Provider

    /// Of the same kind, for a source that cannot be reached.
    var unreachable: any Provider { get }

    /// Names of files that are never the same twice, because the program that writes them puts the time or a random word into each.
    var restlessFiles: Set<String> { get }

    /// Secrets that `provider` was given; distinctive, so that they can be looked for.
    var secrets: [String] { get }

    /// What prepare, freeze and dump must leave as it is, in a form to compare.
    func fingerprint() async throws -> String

    /// What the provider still holds open at the source, such as sessions. Empty once everything was given back.
    func leftovers() async throws -> [String]

    /// Runs `body` while no dump of the source can come to its end, such as behind a lock.
    func whileHeldUp(_ body: () async throws -> Void) async throws

    /// Damages the source so that what prepare saw can no longer be dumped as a whole.
    func damage() async throws
}
