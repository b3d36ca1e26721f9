/// A password or passphrase. Printing, interpolating or dumping it shows that it is there and nothing more.
///
/// Its own memory is never written to swap and is overwritten when the last copy goes. What `reveal` returns is a copy of Swift's, which
/// is never overwritten: `withBytes` makes none.
public struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let memory: LockedMemory

    public init(_ value: String) { memory = LockedMemory(holding: value.utf8) }

    /// The secret itself. Only for handing it to the one who asks for it.
    public func reveal() -> String { withBytes { String(decoding: $0, as: UTF8.self) } }

    /// The same as bytes in UTF-8, valid during the call.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try memory.withBytes(body)
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.withBytes { left in right.withBytes { left.elementsEqual($0) } }
    }

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
