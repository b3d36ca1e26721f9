import DumpCore

/// The access privileges of a database, whatever their order, with the owner under one name: a change of owner is one difference.
struct DatabaseGrants: Sendable {
    struct Item: Sendable, Hashable, Comparable {
        var grantee: String
        var privileges: String
        var grantor: String

        /// A role that was dropped leaves its number, which no dump can grant to. Muster leaves those out of the dump.
        var isOfMissingRole: Bool { Self.isNumber(grantee) || Self.isNumber(grantor) }

        /// What every owner has.
        var isOfOwner: Bool { grantee == DatabaseGrants.owner }

        var shown: String { "\(privileges) to \(grantee.isEmpty ? "PUBLIC" : grantee) by \(grantor)" }

        private static func isNumber(_ name: String) -> Bool {
            !name.isEmpty && name.utf8.allSatisfy { (0x30...0x39).contains($0) }
        }

        static func < (left: Item, right: Item) -> Bool { left.shown < right.shown }
    }

    private(set) var items: Set<Item>

    init(of record: DatabaseRecord) {
        guard let grants = record.grants else {
            // `acldefault('d', owner)`, which is what a dump leaves unsaid.
            items = [
                Item(grantee: "", privileges: "Tc", grantor: Self.owner),
                Item(grantee: Self.owner, privileges: "CTc", grantor: Self.owner),
            ]
            return
        }
        items = Set(
            grants.compactMap { Self.item($0) }.map { item in
                var item = item
                if item.grantee.utf8.elementsEqual(record.owner.utf8) { item.grantee = Self.owner }
                if item.grantor.utf8.elementsEqual(record.owner.utf8) { item.grantor = Self.owner }
                return item
            })
    }

    fileprivate static let owner = "its owner"

    /// Takes apart what `aclitemout` writes: `grantee=privileges/grantor`, with names that are quoted where they must be.
    private static func item(_ text: String) -> Item? {
        var rest = Array(text.utf8)[...]
        let grantee = name(&rest)
        guard rest.popFirst() == UInt8(ascii: "=") else { return nil }
        let privileges = rest.prefix { $0 != UInt8(ascii: "/") }
        rest = rest.dropFirst(privileges.count)
        guard rest.popFirst() == UInt8(ascii: "/") else { return nil }
        return Item(grantee: grantee, privileges: String(decoding: privileges, as: UTF8.self), grantor: name(&rest))
    }

    private static func name(_ rest: inout ArraySlice<UInt8>) -> String {
        let quote = UInt8(ascii: "\"")
        guard rest.first == quote else {
            let plain = rest.prefix { $0 != UInt8(ascii: "=") }
            rest = rest.dropFirst(plain.count)
            return String(decoding: plain, as: UTF8.self)
        }
        var name: [UInt8] = []
        rest = rest.dropFirst()
        while let byte = rest.popFirst() {
            if byte == quote {
                // A quote within a name is written twice.
                guard rest.first == quote else { break }
                rest = rest.dropFirst()
            }
            name.append(byte)
        }
        return String(decoding: name, as: UTF8.self)
    }
}
