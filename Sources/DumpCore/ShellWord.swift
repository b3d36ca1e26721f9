extension String {
    /// As a POSIX shell reads it as one word, for commands that people copy.
    public var asShellWord: String {
        let isPlain =
            !isEmpty
            && utf8.allSatisfy { byte in
                let scalar = Unicode.Scalar(byte)
                return scalar.isASCII
                    && (scalar.properties.isAlphabetic || (0x30...0x39).contains(byte)
                        || "@%_+=:,./-".utf8.contains(byte))
            }
        return isPlain ? self : "'" + replacing("'", with: "'\\''") + "'"
    }
}
