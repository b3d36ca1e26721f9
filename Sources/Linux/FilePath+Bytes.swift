import SystemPackage

extension FilePath {
    /// What the kernel sees: paths need not be UTF-8.
    public var bytes: [UInt8] {
        withPlatformString { text in
            Array(UnsafeBufferPointer(start: text, count: length)).map { UInt8(bitPattern: $0) }
        }
    }

    /// The path that these bytes spell exactly, or nil: nothing is normalized.
    public init?(bytes: some Collection<UInt8>) {
        let text = bytes.map { CChar(bitPattern: $0) }
        guard !text.isEmpty, !text.contains(0) else { return nil }
        self = (text + [0]).withUnsafeBufferPointer { FilePath(platformString: $0.baseAddress!) }
        guard self.bytes.elementsEqual(bytes) else { return nil }
    }
}
