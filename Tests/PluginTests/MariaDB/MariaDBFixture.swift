import DumpCore
import Linux
import Settings
import SystemPackage
import TestSupport

/// A MariaDB server, and the plugin that dumps it.
struct MariaDBFixture: Sendable {
    let server: MariaDBServer
    let scratch: FilePath

    static func with(template: Template = .emptyMariaDB, _ body: (MariaDBFixture) async throws -> Void) async throws {
        try await withScratch { scratch in
            try await MariaDBServer.with(in: scratch, template: template) {
                try await body(MariaDBFixture(server: $0, scratch: scratch))
            }
        }
    }

    /// With two banks that move money from one to the other: the sum over both is the same at every instant.
    static func withBanks(_ body: (MariaDBFixture) async throws -> Void) async throws {
        try await with(template: .banks, body)
    }

    /// - Parameter settings: beside the socket. On a busy machine it may take its time until all snapshots are open.
    func plugin(_ settings: [String: PlainValue] = [:]) throws -> PluginHost {
        let usual: [String: PlainValue] = ["socket": .text(server.socket.string), "lock_wait": .integer(120)]
        return try PluginHost.standard("mariadb", usual.merging(settings) { $1 })
    }

    /// The plugin with an account of its own.
    func plugin(as user: String, password: String, _ settings: [String: PlainValue] = [:]) throws -> PluginHost {
        let file = scratch.appending("password-\(user)")
        try write(password, to: file)
        var plugin = try plugin(["user": .text(user)].merging(settings) { $1 })
        plugin.secrets["password"] = .file(file.string)
        return plugin
    }

    /// What all accounts hold together, in databases of these names.
    func sum(_ east: String = "east", _ west: String = "west") async throws -> String {
        try await server.sql(
            "SELECT (SELECT sum(balance) FROM `\(east)`.accounts) + (SELECT sum(balance) FROM `\(west)`.accounts)")
    }

    /// A database with what is easily lost: bytes, character sets, odd names, views, triggers, routines, events, sequences.
    func createMuseum() async throws {
        try await server.sql(
            #"""
            CREATE DATABASE `mü se/um`;
            USE `mü se/um`;
            CREATE TABLE bytes (id int PRIMARY KEY, b varbinary(300), c blob, g geometry, l varchar(20) CHARACTER SET latin1,
                u varchar(20) CHARACTER SET utf16, bits bit(5), f float, d double, twice int AS (id * 2) STORED);
            INSERT INTO bytes (id, b, c, g, l, u, bits, f, d)
                SELECT 1, unhex(group_concat(lpad(hex(seq), 2, '0') ORDER BY seq SEPARATOR '')),
                    unhex(group_concat(lpad(hex(255 - seq), 2, '0') ORDER BY seq SEPARATOR '')),
                    point(1, 2), unhex('E9FC'), unhex('00E400F620AC'), b'10101', 0.1, 1e-300 FROM seq_0_to_255;
            INSERT INTO bytes (id, c) VALUES (2, '),\n('), (3, NULL);
            CREATE TABLE `we``ird` (`sel``ect` int PRIMARY KEY);
            INSERT INTO `we``ird` VALUES (1), (2);
            CREATE TABLE empty (i int);
            CREATE TABLE log (t int);
            CREATE TRIGGER noted BEFORE INSERT ON `we``ird` FOR EACH ROW INSERT INTO log VALUES (new.`sel``ect`);
            CREATE VIEW seen AS SELECT b.id FROM bytes b JOIN `we``ird` w ON w.`sel``ect` = b.id;
            CREATE FUNCTION three() RETURNS int DETERMINISTIC RETURN 3;
            CREATE EVENT tick ON SCHEDULE EVERY 1 DAY DO INSERT INTO log VALUES (0);
            CREATE SEQUENCE numbers;
            """#)
    }

    /// The checksums of the museum's tables in a database.
    func checksums(of database: String) async throws -> [String] {
        try await server.sql("CHECKSUM TABLE bytes, `we``ird`, empty, log", in: database).split(separator: "\n")
            .map { String($0.split(separator: "\t").last ?? "") }
    }
}

extension Template {
    fileprivate static let banks = Template.mariaDB { server in
        for bank in ["east", "west"] {
            try await server.sql(
                """
                CREATE DATABASE \(bank);
                CREATE TABLE \(bank).accounts (id int PRIMARY KEY, balance bigint NOT NULL, note varchar(200));
                CREATE TABLE \(bank).ballast (id int PRIMARY KEY, text varchar(500))
                """)
            try await server.sql(
                """
                INSERT INTO accounts SELECT seq, 1000, repeat('x', 200) FROM seq_1_to_1000;
                INSERT INTO ballast SELECT seq, repeat('y', 500) FROM seq_1_to_20000
                """, in: bank)
        }
        try await server.sql(
            """
            CREATE DATABASE teller;
            DELIMITER //
            CREATE PROCEDURE teller.work() BEGIN
                DECLARE a, b int;
                LOOP
                    SET a = 1 + floor(rand() * 1000), b = 1 + floor(rand() * 1000);
                    START TRANSACTION;
                    UPDATE east.accounts SET balance = balance - 1 WHERE id = a;
                    UPDATE west.accounts SET balance = balance + 1 WHERE id = b;
                    COMMIT;
                    DO sleep(0.001);
                END LOOP;
            END//
            """)
    }
}
