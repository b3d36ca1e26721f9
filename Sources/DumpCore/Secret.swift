/// A password or passphrase. Printing, interpolating or dumping it shows that it is there and nothing more.
public struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    public init(_ value: String) { self.value = value }

    /// The secret itself. Only for handing it to the one who asks for it.
    public func reveal() -> String { value }

    public var description: String { "(secret)" }
    public var debugDescription: String { "(secret)" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// Where a secret comes from. There is no way to write one into a job file.
public enum SecretSource: Sendable, Hashable {
    /// A file that holds it; one final newline does not count.
    case file(String)
    /// A command line for `/bin/sh`; its standard output holds the secret, one final newline does not count.
    case command(String)
    /// The name of a systemd credential (`LoadCredential=`), read from `$CREDENTIALS_DIRECTORY`.
    case credential(String)
}
