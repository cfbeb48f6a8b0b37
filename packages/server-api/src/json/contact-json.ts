import type { Contact } from '@tandem/core';
import { nullable, TEXT } from './schema';

const text = nullable(TEXT);

export const CONTACT_MEMBERS = {
  country: text,
  state: text,
  city: text,
  address: text,
  address2: text,
  zip: text,
  phone: text,
  email: text,
};

/** Where a tenant or customer can be reached. */
export const contactJson = ({ country, state, city, address, address2, zip, phone, email }: Contact) => ({
  country,
  state,
  city,
  address,
  address2,
  zip,
  phone,
  email,
});
