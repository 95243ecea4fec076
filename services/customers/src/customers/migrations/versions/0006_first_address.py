"""A first admin's address may become that of its own customer's contact, and leaves the contact's behind."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute(
        """
        create or replace function door.users_keep_login() returns trigger language plpgsql security definer
            set search_path = public, pg_temp as $door$
        begin
            if tg_op = 'UPDATE' and lower(old.email) is not distinct from lower(new.email) then
                return null;
            elsif new.email is null then
                delete from logins where partner_id = new.partner_id and user_id = new.id;
                return null;
            elsif tg_op = 'UPDATE' and old.email is not null then
                delete from logins
                 where email_key = lower(new.email) and user_id is null and partner_id = new.partner_id and customer_id = new.customer_id;
                update logins set email_key = lower(new.email) where partner_id = new.partner_id and user_id = new.id;
                insert into logins (email_key, partner_id, customer_id)
                select lower(old.email), c.partner_id, c.id from customers c
                 where c.partner_id = new.partner_id and c.id = new.customer_id and lower(c.contact ->> 'email') = lower(old.email)
                   and c.status not in ('deleted', 'purged', 'rejected');
                return null;
            end if;
            update logins set user_id = new.id
             where email_key = lower(new.email) and user_id is null and partner_id = new.partner_id and customer_id = new.customer_id;
            if not found then
                insert into logins (email_key, partner_id, user_id, customer_id)
                values (lower(new.email), new.partner_id, new.id, new.customer_id);
            end if;
            return null;
        end
        $door$
        """
    )
