/// What a job is known by, whatever it and its host are called: 32 hex digits, drawn once for each staging area.
public struct JobID: Sendable, Hashable, Codable, CustomStringConvertible {
    public let description: String

    /// A new one.
    public init() {
        description = (0..<2).map { _ in UInt64.random(in: .min ... .max).digits(16, radix: 16) }.joined()
    }

    /// The one that `text` spells, or nil if it spells none.
    public init?(_ text: String) {
        guard text.utf8.count == 32, text.allSatisfy({ $0.isASCII && $0.isHexDigit && !$0.isUppercase }) else {
            return nil
        }
        description = text
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let id = JobID(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not the id of a job")
        }
        self = id
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
