/// Text from outside is taken apart by bytes.
///
/// Swift's own `split`, `firstIndex` and `contains` compare characters. To them `"\r\n"`, or a space before a combining mark, is *one*
/// character, so a line or a field would go unseen. In UTF-8 no part of another character has the value of an ASCII one.
extension StringProtocol {
    /// The parts between an ASCII character, whatever follows it.
    public func split(
        atASCII separator: Unicode.Scalar, maxSplits: Int = .max, omittingEmptySubsequences: Bool = true
    ) -> [SubSequence] where SubSequence == Substring {
        utf8Parts(
            utf8.split(
                separator: UInt8(ascii: separator), maxSplits: maxSplits,
                omittingEmptySubsequences: omittingEmptySubsequences))
    }

    /// The parts between white space of ASCII, none of them empty.
    public func splitAtASCIISpace() -> [SubSequence] where SubSequence == Substring {
        utf8Parts(utf8.split { $0 == 0x20 || (0x09...0x0D).contains($0) })
    }

    /// Where an ASCII character is first, whatever follows it.
    public func firstIndex(ofASCII character: Unicode.Scalar) -> Index? {
        utf8.firstIndex(of: UInt8(ascii: character))
    }

    /// Where an ASCII character is last, whatever follows it.
    public func lastIndex(ofASCII character: Unicode.Scalar) -> Index? {
        unicodeScalars.lastIndex(of: character)
    }

    /// Whether it begins with these bytes, whatever follows them.
    public func hasBytePrefix(_ prefix: String) -> Bool { utf8.starts(with: prefix.utf8) }

    private func utf8Parts<Part: Collection>(_ parts: [Part]) -> [Substring]
    where Part.Index == String.Index, SubSequence == Substring {
        parts.map { self[$0.startIndex..<$0.endIndex] }
    }
}
