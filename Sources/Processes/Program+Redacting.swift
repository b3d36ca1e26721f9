import DumpCore

extension Program {
    /// A line that the program wrote, without the secrets that it was handed: it may have said one in an error.
    public func withoutSecrets(_ line: String) -> String {
        repeatsSecrets || secrets.contains { $0.isSecret && $0.text.isPart(of: line) }
            ? "(a line with a secret in it is not shown)" : line
    }
}

extension Secret {
    /// What is shorter is part of any text.
    private static let least = 4

    fileprivate func isPart(of line: String) -> Bool {
        withBytes { secret in
            let secret = secret.last == UInt8(ascii: "\n") ? secret.dropLast() : secret[...]
            guard secret.count >= Self.least else { return false }
            return line.utf8.contains(secret)
        }
    }
}

extension String.UTF8View {
    fileprivate func contains(_ part: Slice<UnsafeRawBufferPointer>) -> Bool {
        let bytes = Array(self)
        guard bytes.count >= part.count else { return false }
        return (0...(bytes.count - part.count)).contains { bytes[$0..<($0 + part.count)].elementsEqual(part) }
    }
}
