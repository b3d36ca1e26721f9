import SystemPackage

extension Shape<FilePath> {
    /// A path that begins with `/`. A `.` in it is dropped, a `..` is refused: what it means depends on symbolic links.
    public static var absolutePath: Shape {
        let path = Shape<String>.line.checked(["pattern": "^/"]) { text in
            guard text.hasPrefix("/") else {
                return Fault(
                    "expected an absolute path, found \(excerpt(text))",
                    hint: text.hasPrefix("~")
                        ? "Write the home directory in place of ~." : "Write all of it, from / on.")
            }
            guard !FilePath(text).components.contains("..") else { return Fault("must not contain '..'") }
            return nil
        }
        return Shape(schema: path.schema) { node, diagnostics in
            path.read(node, &diagnostics).map { FilePath($0).lexicallyNormalized() }
        } writer: {
            .text($0.string)
        }
    }
}
