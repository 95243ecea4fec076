-- Who may enter a service's database, run inside it by a superuser. Privileges on a database are not cloned with it: run this again after every
-- CREATE DATABASE ... TEMPLATE. The service is the setting partnerdeck.service, and where that is not set, the database's own name.
do $$
declare
    service constant text := coalesce(nullif(current_setting('partnerdeck.service', true), ''), current_database());
    owner constant text := coalesce((select rolname from pg_roles where rolname = service || '_owner'), service);
    entrant text;
begin
    execute format('revoke all on database %I from public', current_database());
    execute format('grant connect, create, temporary on database %I to %I', current_database(), owner);
    for entrant in
        select rolname from pg_roles
        where rolname in (service, service || '_owner', service || '_worker', service || '_api', service || '_partner', service || '_portal', service || '_operator')
    loop
        execute format('grant connect on database %I to %I', current_database(), entrant);
    end loop;
    revoke create on schema public from public;
    execute format('grant usage, create on schema public to %I', owner);
end
$$;
