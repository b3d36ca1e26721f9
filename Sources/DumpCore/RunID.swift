/// Names one run: its UTC start and four random hex digits, such as `20261123T080102Z-5f3a`. Sorts by time.
public struct RunID: Sendable, Hashable, Codable, CustomStringConvertible {
    public let description: String

    /// A new one, for a run that starts at `start`.
    public init(start: Timestamp) {
        let compact = start.iso8601(withMilliseconds: false).filter { $0 != "-" && $0 != ":" }
        description = compact + "-" + UInt16.random(in: .min ... .max).digits(4, radix: 16)
    }

    /// The one that `text` spells, or nil if it spells none.
    public init?(_ text: String) {
        let parts = text.split(atASCII: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 16, parts[0].hasSuffix("Z"), parts[1].utf8.count == 4,
            text.allSatisfy({ $0.isASCII && ($0.isHexDigit || "TZ-".contains($0)) })
        else { return nil }
        description = text
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let id = RunID(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a run id")
        }
        self = id
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
