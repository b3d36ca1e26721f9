import DumpCore
import Linux

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
        var line = line
        return withBytes { secret in
            let secret = secret.last == UInt8(ascii: "\n") ? secret.dropLast() : secret[...]
            guard secret.count >= Self.least else { return false }
            return line.withUTF8 { UnsafeRawBufferPointer($0).contains(UnsafeRawBufferPointer(rebasing: secret)) }
        }
    }
}
