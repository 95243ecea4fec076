-- The roles of every service: who owns, who works, who answers requests. Run by a superuser, once per server; running it again changes nothing.
-- Passwords are not here: whoever runs this sets them (alter role ... password) for the login roles.
do $$
declare
    service text;
    login text;
    face text;
begin
    foreach service in array array['customers', 'licensing', 'reporting', 'notifications'] loop
        foreach login in array array['owner', 'worker', 'api'] loop
            if to_regrole(format('%I', service || '_' || login)) is null then
                execute format('create role %I', service || '_' || login);
            end if;
        end loop;

        execute format('alter role %I login inherit nosuperuser nocreatedb nocreaterole noreplication nobypassrls', service || '_owner');
        execute format('alter role %I login inherit nosuperuser nocreatedb nocreaterole noreplication nobypassrls', service || '_worker');
        execute format('alter role %I login noinherit nosuperuser nocreatedb nocreaterole noreplication nobypassrls', service || '_api');

        -- SET ROLE does not bring a role's settings: they stand on the roles that log in.
        execute format('alter role %I set jit = off', service || '_owner');
        execute format('alter role %I set jit = off', service || '_worker');
        execute format('alter role %I set jit = off', service || '_api');
        execute format('alter role %I set lock_timeout = ''5s''', service || '_owner');
        execute format('alter role %I set lock_timeout = ''2s''', service || '_worker');
        execute format('alter role %I set lock_timeout = ''2s''', service || '_api');
        execute format('alter role %I set idle_in_transaction_session_timeout = ''30s''', service || '_api');
        -- A worker that is stopped with a batch in hand keeps its fences no longer than Kafka keeps its partitions for it.
        execute format('alter role %I set idle_in_transaction_session_timeout = ''10s''', service || '_worker');

        foreach face in array array['partner', 'portal', 'operator'] loop
            if to_regrole(format('%I', service || '_' || face)) is null then
                execute format('create role %I', service || '_' || face);
            end if;
            execute format('alter role %I nologin nosuperuser nocreatedb nocreaterole noreplication nobypassrls', service || '_' || face);
            execute format('grant %I to %I with inherit false, set true, admin false', service || '_' || face, service || '_api');
        end loop;
    end loop;

    -- The sample billing consumer (deploy/simulator) keeps its own books.
    if to_regrole('billing') is null then
        create role billing;
    end if;
    alter role billing login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
end
$$;
