extension Shape<[String]> {
    /// A program and its arguments, for no shell: `[/usr/local/sbin/freeze, --now]`.
    public static var command: Shape {
        Shape<[String]>.list(of: .line, atLeast: 1).checked { words in
            words[0].isEmpty ? Fault("must begin with a program") : nil
        }
    }
}
