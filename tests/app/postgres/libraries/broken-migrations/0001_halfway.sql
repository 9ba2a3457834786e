-- Up Migration
CREATE TABLE halfway (id integer PRIMARY KEY);
SELECT 1/0;

-- Down Migration
DROP TABLE halfway;
