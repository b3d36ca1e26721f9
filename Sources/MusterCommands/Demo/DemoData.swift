/// What the demo's cluster holds.
enum DemoData {
    static let cluster = [
        "CREATE ROLE clerk LOGIN",
        "CREATE DATABASE shop OWNER clerk",
        "CREATE DATABASE library",
    ]

    static let databases: [(name: String, statements: [String])] = [
        (
            "shop",
            [
                """
                CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL);
                INSERT INTO customers SELECT n, 'customer ' || n FROM generate_series(1, 20000) n
                """,
                """
                CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers, total numeric, placed timestamptz);
                INSERT INTO orders
                    SELECT n, 1 + n % 20000, n * 0.37, timestamptz '2026-01-01' + n * interval '1 minute'
                    FROM generate_series(1, 200000) n;
                GRANT SELECT ON orders TO clerk
                """,
            ]
        ),
        (
            "library",
            [
                """
                CREATE TABLE books (id int PRIMARY KEY, title text, words text);
                INSERT INTO books SELECT n, 'book ' || n, repeat(md5(n::text), 20) FROM generate_series(1, 20000) n
                """
            ]
        ),
    ]
}
