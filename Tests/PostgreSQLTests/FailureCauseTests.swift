import Testing

@testable import PostgreSQL

@Suite("What lies behind a message")
struct FailureCauseTests {
    static let damaged = "Data on the server are damaged"
    static let library = "A library of the server is missing"
    static let huge = "A row takes more than 1 GB as text"
    static let saidWhileDumping = [
        (#"ERROR:  could not open file "base/16384/16386": No such file or directory"#, damaged),
        (#"ERROR:  could not read block 3 in file "base/5/16386": read only 0 of 8192 bytes"#, damaged),
        ("ERROR:  invalid page in block 0 of relation base/16384/16385", damaged),
        ("ERROR:  missing chunk number 0 for toast value 16391 in pg_toast_16385", damaged),
        ("ERROR:  could not access status of transaction 4711", damaged),
        (#"ERROR:  could not access file "$libdir/vectors": No such file or directory"#, library),
        (#"ERROR:  could not load library "/usr/lib/x.so": cannot open shared object file"#, library),
        ("ERROR:  invalid memory alloc request size 1200000003", huge),
        ("ERROR:  out of memory\nDETAIL:  Cannot enlarge string buffer containing 1 bytes by 2 more bytes.", huge),
        (
            #"ERROR:  could not write to file "base/pgsql_tmp/1": No space left on device"#,
            "The disk of the server itself is full"
        ),
        (
            #"ERROR:  could not resize shared memory segment "/PostgreSQL.1" to 8 bytes: No space left on device"#,
            "The server's /dev/shm is full"
        ),
        ("ERROR:  canceling statement due to user request", "Another session cancelled pg_dump's statement"),
        (
            #"connection to server on socket "/s/.s.PGSQL.5432" failed: No such file or directory"#,
            "Check that the server is running, and host and port"
        ),
    ]

    @Test("What a server says of itself is not taken for a connection that failed", arguments: saidWhileDumping)
    func dumping(said: String, hint: String) {
        #expect(FailureCause.ofDumping("pg_dump: error: \(said)")?.hint.hasPrefix(hint) == true)
    }

    @Test("Words of the file system alone say nothing of the connection")
    func unknown() {
        #expect(FailureCause.ofDumping("pg_dump: error: whatever: No such file or directory") == nil)
    }

    static let saidWhileConnecting = [
        (
            #"FATAL:  role "root" does not exist"#,
            "Set run_as to the system user that the server's role belongs to, usually postgres"
        ),
        (#"FATAL:  role "backup" does not exist"#, "Name the role with user= in 'connection:', or set run_as"),
        (#"FATAL:  database "shop" does not exist"#, "Name a database that is there"),
        (#"FATAL:  role "readers" is not permitted to log in"#, "Allow it: ALTER ROLE … LOGIN"),
        (
            #"FATAL:  pg_hba.conf rejects connection for host "[local]", user "a", database "rdsadmin", no encryption"#,
            "Let the role in with a line in the server's pg_hba.conf and reload it, or leave the database out with "
                + "'databases: {exclude: [NAME]}'."
        ),
    ]

    @Test("A connection that failed has a hint that fits", arguments: saidWhileConnecting)
    func connecting(said: String, hint: String) {
        #expect(FailureCause.ofConnecting("connection to server failed: \(said)")?.hint.hasPrefix(hint) == true)
    }
}
