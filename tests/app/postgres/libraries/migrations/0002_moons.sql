-- Up Migration
CREATE TABLE moons (name text PRIMARY KEY, planet text NOT NULL REFERENCES planets);

-- Down Migration
DROP TABLE moons;
