-- One database per service. CREATE DATABASE runs in no transaction and no block: run each statement by itself, skipping the databases that exist.
create database customers owner customers_owner;
create database licensing owner licensing_owner;
create database reporting owner reporting_owner;
create database notifications owner notifications_owner;
create database billing owner billing;
