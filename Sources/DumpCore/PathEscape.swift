import SystemPackage

/// A path component that stands for `name` and for no other name: the name of a dump, a database, anything.
///
/// ASCII letters, digits, `_`, `.` and `-` stay, except a `.` or `-` at the start. Every other byte of the name's UTF-8 becomes `%` and two
/// upper-case hex digits. So the result is never hidden, never `.` or `..`, and never taken for an option. The empty name becomes a single
/// `%`. A name of up to 63 bytes becomes at most 189.
public func escapedPathComponent(_ name: String) -> FilePath.Component {
    guard !name.isEmpty else { return "%" }
    var escaped = ""
    for byte in name.utf8 {
        let isFirst = escaped.isEmpty
        if isKept(byte), !(isFirst && isRefusedAsFirst(byte)) {
            escaped.unicodeScalars.append(Unicode.Scalar(byte))
        } else {
            escaped += "%" + byte.digits(2, radix: 16, uppercase: true)
        }
    }
    // Neither empty nor `/` nor NUL, which is all that a component may not be or hold.
    return FilePath.Component(escaped)!
}

/// The name that `component` stands for, or nil if `escapedPathComponent` never yields it.
public func unescapedName(_ component: FilePath.Component) -> String? {
    guard component != "%" else { return "" }
    var bytes: [UInt8] = []
    var rest = component.string.utf8[...]
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%") else {
            bytes.append(byte)
            continue
        }
        guard let decoded = UInt8(String(Substring(rest.prefix(2))), radix: 16) else { return nil }
        bytes.append(decoded)
        rest = rest.dropFirst(2)
    }
    let name = String(decoding: bytes, as: UTF8.self)
    // Whatever is spelled in another way than ours, or is not UTF-8, comes out as another component.
    return escapedPathComponent(name) == component ? name : nil
}

private func isKept(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
        true
    default: false
    }
}

private func isRefusedAsFirst(_ byte: UInt8) -> Bool { byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") }
