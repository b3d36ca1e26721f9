import DumpCore

/// Why the bytes of a `manifest.json` are not a manifest that this Muster can trust itself with.
public struct ManifestFault: Error, Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        /// A newer Muster wrote it, in a format that this one does not know.
        case newer
        /// It has more bytes, or more values, than Muster writes.
        case tooLarge
        /// It is not a manifest, or it holds a value that Muster never writes.
        case malformed
    }

    public var kind: Kind
    /// What is wrong, to follow the name of the manifest: `has format version 2, and this Muster knows up to 1`.
    public var message: String
    /// A sentence that says what to do; nil where that depends on where the manifest is.
    public var hint: String?
    /// Where the parser stopped, for those who want to look.
    public var context: ErrorContext = [:]

    static func newer(_ version: Int, knownUpTo newest: Int) -> ManifestFault {
        ManifestFault(
            kind: .newer,
            message: "has format version \(version), and this Muster knows up to \(newest)",
            hint: "Use the Muster that wrote it, or a newer one.")
    }

    static func tooLarge(_ what: String) -> ManifestFault {
        ManifestFault(kind: .tooLarge, message: "has \(what), more than any manifest that Muster writes")
    }

    static func malformed(_ why: String) -> ManifestFault {
        ManifestFault(kind: .malformed, message: "is not a manifest that Muster wrote: \(why)")
    }

    static func unparsed(_ error: any Error) -> ManifestFault {
        var fault = malformed("it cannot be parsed")
        fault.context = ["reason": "\(error)".onOneLine]
        return fault
    }
}

extension StagingError {
    init(_ fault: ManifestFault, in path: String) {
        self.init(
            fault.kind == .newer ? .newerFormat : .damagedSet, "\(path) \(fault.message)",
            hint: fault.hint ?? "The next muster run replaces the set.", context: fault.context, underlying: fault)
    }
}
